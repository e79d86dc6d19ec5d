/** The simulation can fail: each fault planted into the shell and what surrounds it is noticed. */
import { catches } from './catching.ts';
import { mutants } from './mutants.ts';

catches(mutants);
