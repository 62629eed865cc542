// The simulated vendor as the command line starts it.
export { simulateReviews } from '../simulate/reviews.ts'
