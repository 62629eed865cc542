// Closes prototype pollution for the whole process: nothing can be added to or changed on Object.prototype, and `__proto__` throws,
// as with --disable-proto=throw, which a program cannot turn on for itself.

/**
 * Freezes Object.prototype. Its methods become accessors, so that plain assignment still shadows them on other objects: with frozen
 * data properties `thing.toString = f` would fail, and most libraries do that somewhere.
 */
export function freezeObjectPrototype(): void {
  const prototype = Object.prototype
  // The runtime did it already: --frozen-intrinsics.
  if (!Object.isExtensible(prototype)) return
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!
    if (!('value' in descriptor)) continue
    const value: unknown = descriptor.value
    Object.defineProperty(prototype, key, {
      configurable: false,
      enumerable: false,
      get: () => value,
      set(this: unknown, next: unknown) {
        if (this === prototype || this === null || this === undefined)
          throw new TypeError(`Object.prototype.${String(key)} cannot be changed`)
        Object.defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true })
      },
    })
  }
  const refuse = () => {
    throw new TypeError('__proto__ is not available')
  }
  Object.defineProperty(prototype, '__proto__', { configurable: false, enumerable: false, get: refuse, set: refuse })
  Object.preventExtensions(prototype)
}
