// until polls what until it gives something, which it returns; said names that. timeout is in ms.
export async function until(what, said, timeout = 30_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${said}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
