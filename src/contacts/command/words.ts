/** Puts parameters into commands. Pure. */
import { type CommandProfile, PLACEHOLDER } from './profile.ts';

/** Longest value of a parameter. */
export const MAX_VALUE = 256;
const MAX_SHOWN = 40;

/** The argv with every placeholder replaced; `null`: a parameter is missing. */
export function filled(
  argv: readonly string[],
  parameters: Readonly<Record<string, string>>,
): readonly string[] | null {
  const words = argv.map((word) => {
    const [, name] = PLACEHOLDER.exec(word) ?? [];
    if (name === undefined) return word;
    return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  });
  return words.every((word) => word !== undefined) ? words : null;
}

/** One thing about the parameters of a contact that its profile does not allow. */
export interface ParameterProblem {
  readonly what: string;
  readonly hint: string;
}

/** Everything about the parameters that the profile does not allow. */
export function parameterProblems(
  profile: Pick<CommandProfile, 'parameters'>,
  given: Readonly<Record<string, string>>,
): readonly ParameterProblem[] {
  const wanted = Object.entries(profile.parameters);
  const listed =
    wanted.length === 0 ? 'it takes none' : `it takes ${wanted.map(([name]) => name).join(', ')}`;
  const missing = wanted
    .filter(([name]) => !Object.hasOwn(given, name))
    .map(([name, { means }]) => ({ what: `parameter ${name} is missing`, hint: means }));
  const wrong = Object.entries(given).flatMap(([name, value]): readonly ParameterProblem[] => {
    const parameter = Object.hasOwn(profile.parameters, name) ? profile.parameters[name] : undefined;
    const shown = JSON.stringify(value.slice(0, MAX_SHOWN));
    if (parameter === undefined)
      return [{ what: `there is no parameter ${name.slice(0, MAX_SHOWN)}`, hint: listed }];
    // A value that begins with a dash would be taken for an option.
    const fits = value.length <= MAX_VALUE && !value.startsWith('-') && whole(parameter.pattern).test(value);
    return fits
      ? []
      : [{ what: `${shown} is no ${name}`, hint: `${parameter.means}; it matches ${parameter.pattern}` }];
  });
  return [...missing, ...wrong];
}

/** A pattern that the whole word must match. */
const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'u');
