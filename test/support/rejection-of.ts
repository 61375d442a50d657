/** The error a promise is rejected with; throws when it is fulfilled. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error & { readonly code?: unknown }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError("rejected with something that is no Error", { cause: error });
  }
  throw new TypeError("expected a rejection");
}
