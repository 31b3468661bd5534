export { problem, problems, type Problem, type ProblemCode } from './problem.ts';
export { Refusal } from './refusal.ts';
