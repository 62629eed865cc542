// The simulated vendor as the command line starts it.
export { type FaultKind, faultKinds, type SimulateOptions, simulateReviews } from '../simulate/reviews.ts'
