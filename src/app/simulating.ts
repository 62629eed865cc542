// The simulated vendors as the command line starts them.
export { type Damage, damageKinds, type ItemStyle, itemStyles } from '../simulate/item.ts'
export { type FaultKind, faultKinds, type RetryAfterStyle, retryAfterStyles } from '../simulate/options.ts'
export { type SimulateOptions, simulateReviews } from '../simulate/reviews.ts'
export { simulateVendor, vendorSpecs } from '../simulate/vendors/index.ts'
export { localeTags } from '../simulate/vendors/locale.ts'
export {
  type Markup,
  markups,
  type RobotsStyle,
  robotsStyles,
  type VendorOptions,
} from '../simulate/vendors/settings.ts'
export type { VendorSpec } from '../simulate/vendors/vendor.ts'
export { triesOf } from '../simulate/vendors/welcome.ts'
