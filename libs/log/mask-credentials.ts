/** A text in which the user and password of every address (`nats://user:password@host`) are `***`. */
export function maskCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s/,]*@/g, "://***@");
}
