import { type LookupAddress, type LookupAllOptions, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { addressProblem } from "../address-problem.ts";
import { UserError } from "../errors.ts";
import type { NetGrant } from "../jobs/manifest.ts";

/**
 * The grant that lets a job connect to this URL's host and port. Throws `permission_denied` where there is none, and where
 * the host is a private address that no grant names.
 */
export function requireNetGrant(url: URL, grants: readonly NetGrant[]): NetGrant {
  const texts = hostTexts(url);
  const fitting = grants.filter(({ host, port }) => texts.includes(port === null ? host : `${host}:${port}`));
  const grant = fitting.find((each) => each.private) ?? fitting[0];
  if (grant === undefined) {
    throw new UserError(
      "permission_denied",
      `This job may not connect to ${url.host}: add "${url.host}" to permissions.net in defineJob; the person then reviews the new version.`,
    );
  }
  return grant;
}

/** How grants can name the URL's host: with its port, and without where it is the scheme's own. */
export function hostTexts(url: URL): string[] {
  if (url.port !== "") return [url.host];
  return [url.hostname, `${url.hostname}:${url.protocol === "https:" ? 443 : 80}`];
}

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves a name for one connection and hands on only what was checked, so that a second answer of the name server
 * cannot lead elsewhere. One private address among several refuses them all.
 */
export function checkedLookup(grant: NetGrant, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const problem = allowsPrivate(grant) ? undefined : firstProblem(addresses.map(({ address }) => address));
      if (problem !== undefined) return callback(privateAddress(grant, problem), []);
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

/** Whether the grant itself says that a private address is meant. */
function allowsPrivate(grant: NetGrant): boolean {
  return grant.private || grant.host === "localhost" || isIP(grant.host.replace(/^\[|\]$/g, "")) !== 0;
}

function firstProblem(addresses: readonly string[]): string | undefined {
  for (const address of addresses) {
    const problem = addressProblem(address);
    if (problem !== undefined) return `${address}, ${problem}`;
  }
  return undefined;
}

function privateAddress({ host, port }: NetGrant, problem: string): UserError {
  const text = port === null ? host : `${host}:${port}`;
  return new UserError(
    "permission_denied",
    `${host} leads to ${problem}, which jobs do not reach by default. If that is meant, write { host: "${text}", private: true } in permissions.net in defineJob.`,
  );
}
