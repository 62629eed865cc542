// Preloaded into a real process: its wall clock is ahead by TEST_LATER_MS, as if it had been started so much later.
const laterMs = Number(process.env['TEST_LATER_MS'] ?? 0)
const now = Date.now
Date.now = () => now() + laterMs
