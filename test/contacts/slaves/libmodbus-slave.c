/* A Modbus slave made of libmodbus (https://libmodbus.org), so that our master meets code nobody here wrote.
 *   libmodbus-slave tcp ADDRESS          prints "listening PORT"
 *   libmodbus-slave rtu DEVICE BAUD UNIT prints "listening 0"
 * Every coil that changes is printed as "coil INDEX VALUE". Ends when its input ends. */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define COILS 1024

static modbus_mapping_t *map;
static uint8_t seen[COILS];

static void show(void) {
    for (int i = 0; i < COILS; i++)
        if (map->tab_bits[i] != seen[i]) {
            seen[i] = map->tab_bits[i];
            printf("coil %d %d\n", i, seen[i]);
        }
    fflush(stdout);
}

int main(int argc, char **argv) {
    int tcp = argc == 3 && strcmp(argv[1], "tcp") == 0;
    if (!tcp && argc != 5) return 2;
    modbus_t *ctx = tcp ? modbus_new_tcp(argv[2], 0) : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
    map = modbus_mapping_new(COILS, 16, 0x1010, 0);
    if (ctx == NULL || map == NULL) return 1;
    int server = -1, port = 0;
    fd_set known;
    FD_ZERO(&known);
    if (tcp) {
        struct sockaddr_in address;
        socklen_t size = sizeof address;
        server = modbus_tcp_listen(ctx, 8);
        if (server < 0 || getsockname(server, (struct sockaddr *)&address, &size) != 0) return perror("listen"), 1;
        port = ntohs(address.sin_port);
        FD_SET(server, &known);
    } else {
        modbus_set_slave(ctx, atoi(argv[4]));
        if (modbus_connect(ctx) != 0) return perror("connect"), 1;
        FD_SET(modbus_get_socket(ctx), &known);
    }
    FD_SET(STDIN_FILENO, &known);
    printf("listening %d\n", port);
    fflush(stdout);
    for (;;) {
        fd_set ready = known;
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        if (select(FD_SETSIZE, &ready, NULL, NULL, NULL) < 0) return 1;
        for (int fd = 0; fd < FD_SETSIZE; fd++) {
            if (!FD_ISSET(fd, &ready)) continue;
            if (fd == STDIN_FILENO) {
                if (read(fd, query, sizeof query) <= 0) return 0;
                continue;
            }
            if (fd == server) {
                int peer = accept(server, NULL, NULL);
                if (peer >= 0) FD_SET(peer, &known);
                continue;
            }
            if (tcp) modbus_set_socket(ctx, fd);
            int size = modbus_receive(ctx, query);
            if (size > 0) {
                modbus_reply(ctx, query, size, map);
                show();
            } else if (size < 0 && tcp) {
                FD_CLR(fd, &known);
                close(fd);
            } else if (size < 0 && errno == EIO) {
                return 1;
            }
        }
    }
}
