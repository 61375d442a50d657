import type { LookupAddress, LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { PermanentError } from "#libs/define-task/define-task.js";
import { isPublicAddress } from "#worker/outbound/is-public-address.js";

/** How a name becomes addresses: `lookup` of node:dns, or something like it. */
export type Resolve = (
  name: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Refuses a host of a URL that is an address itself: connecting to one looks nothing up. Throws `ADDRESS_REFUSED`. */
export function refusePrivateHost(hostname: string): void {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw addressRefused(hostname);
}

/**
 * A `lookup` for sockets, which connect to what it returns and ask nobody else: so no answer of a name server can change between the check
 * and the connection. Unless private addresses are allowed, a single one refuses the name, with `ADDRESS_REFUSED`.
 */
export function guardedLookup(resolve: Resolve, { allowPrivate }: { readonly allowPrivate: boolean }): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0);
      const [first] = addresses;
      const isRefused = !allowPrivate && addresses.some(({ address }) => !isPublicAddress(address));
      if (first === undefined || isRefused) return callback(addressRefused(hostname), "", 0);
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** Does not tell the address: whoever may create tasks need not learn a private network's names. */
function addressRefused(hostname: string): PermanentError {
  return new PermanentError(
    "ADDRESS_REFUSED",
    `${hostname} is not an address of the public internet, and TASKWIRE_ALLOW_PRIVATE_ADDRESSES is off`,
  );
}
