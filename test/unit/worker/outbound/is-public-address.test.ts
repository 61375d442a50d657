import { expect } from "chai";
import { isPublicAddress } from "#worker/outbound/is-public-address.js";

describe("isPublicAddress", () => {
  it("knows the public internet", () => {
    for (const address of [
      "8.8.8.8",
      "1.1.1.1",
      "172.15.255.255",
      "172.32.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "223.255.255.255",
      "2606:4700:4700::1111",
      "2a00:1450:4001:81b::200e",
      "64:ff9b::808:808",
    ]) {
      expect(isPublicAddress(address), address).to.equal(true);
    }
  });

  it("refuses every special range of IPv4", () => {
    for (const address of [
      "0.0.0.0",
      "0.1.2.3",
      "10.0.0.1",
      "100.64.0.1",
      "100.127.255.255",
      "127.0.0.1",
      "127.255.255.254",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
      "192.0.0.1",
      "192.0.2.1",
      "192.88.99.1",
      "192.168.1.1",
      "198.18.0.1",
      "198.51.100.1",
      "203.0.113.1",
      "224.0.0.1",
      "239.255.255.255",
      "240.0.0.1",
      "255.255.255.255",
    ]) {
      expect(isPublicAddress(address), address).to.equal(false);
    }
  });

  it("refuses every special range of IPv6, and IPv4 in IPv6", () => {
    for (const address of [
      "::",
      "::1",
      "::7f00:1",
      "::8.8.8.8",
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "::ffff:0:127.0.0.1",
      "64:ff9b::7f00:1",
      "64:ff9b::10.0.0.1",
      "64:ff9b:1::1",
      "100::1",
      "2001::1",
      "2001:db8::1",
      "2002:7f00:1::",
      "3fff::1",
      "5f00::1",
      "4000::1",
      "fc00::1",
      "fd12:3456::1",
      "fe80::1",
      "fe80::1%eth0",
      "fec0::1",
      "ff02::1",
    ]) {
      expect(isPublicAddress(address), address).to.equal(false);
    }
  });

  it("refuses what is no address in its usual notation", () => {
    for (const text of ["", "localhost", "8.8", "134744072", "0x8080808", "010.8.8.8", "8.8.8.8.", "[2606:4700::1]"]) {
      expect(isPublicAddress(text), text).to.equal(false);
    }
  });
});
