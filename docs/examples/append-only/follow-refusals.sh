#!/bin/sh
# On the vault: reads the access log of its server (combined format: rest-server --log, nginx, Apache) and pulls the kill switch of the box
# when something was refused that the box never does: a delete, or writing over what is there.
#   follow-refusals.sh LOG https://BOX:8470/trip/vault-server TOKEN-FILE
# CURL_OPTIONS="--cacert FILE" where the box shows a certificate of its own.
set -eu
log=${1:?the log file} url=${2:?the address of the source} token_file=${3:?the file with its token}
last=0
tail -n 0 -F -- "$log" 2>/dev/null | while IFS= read -r line; do
  case $line in
  *'"DELETE '*'" 403 '* | *'"DELETE '*'" 405 '* | *'"POST '*'" 403 '*) ;;
  *) continue ;;
  esac
  now=$(date +%s)
  [ $((now - last)) -ge 10 ] || continue
  last=$now
  # A stranger wrote a part of this line.
  text=$(printf '%s' "$line" | tr -cd '[:alnum:] ./:_+-' | cut -c1-200)
  body="{\"status\":\"firing\",\"severity\":\"critical\",\"rule\":\"append-only\",\"reason\":\"the vault refused: $text\"}"
  for attempt in 1 2 3 4 5; do
    # The token is read by curl itself: nobody sees it in the list of processes.
    # shellcheck disable=SC2086
    printf 'header = "Authorization: Bearer %s"\n' "$(sed -n 1p "$token_file")" |
      curl -fsS --max-time 5 ${CURL_OPTIONS:-} --config - -H 'content-type: application/json' -d "$body" "$url" >/dev/null && break
    # No answer: the box may have cut already.
    sleep 1
  done
done
