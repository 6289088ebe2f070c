/** Whether an address means this machine. */

export function onlyLoopback(address: string): boolean {
  const { hostname } = new URL(address.replaceAll('{port}', '1'));
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}
