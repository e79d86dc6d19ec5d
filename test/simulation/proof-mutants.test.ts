/** The simulation can fail: each fault planted into proof tests and commissioning is noticed. */
import { catches } from './catching.ts';
import { proofMutants } from './proof-mutants.ts';

catches(proofMutants);
