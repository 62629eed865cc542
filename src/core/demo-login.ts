// The login that simulated vendors ask for when nothing else is said. It stands in the documentation and opens nothing else, so it is no secret.

export const demoUser = 'weir-demo'
export const demoKey = 'weir-demo-key'
