import { z } from "zod";
import { between, day, expect, text } from "./values.ts";

/** What the operator knows about their home: whom tenants ask, the internet line, prices, and dates to remember. */

/** What tenants read as it is, in Markdown and in their guest. */
function lineForTenants(fix: string) {
  return text(
    /^[^\s|`<>]([^\r\n|`<>]{0,198}[^\s|`<>])?$/,
    expect("one line of up to 200 characters, without | ` < >", fix),
  );
}

export const contact = lineForTenants(
  'write how tenants reach you, for example `contact: "Eva Meier, eva@meier.example"`',
);

export const notice = lineForTenants(
  'write when and what, for example `notice: "Saturday 20:00 to 22:00: new disks, sites do not answer"`',
);

/**
 * Share of all blocks that changes in a day: an assumption, for ordinary web applications with a database. Longhorn's
 * metric `longhorn_backup_uploaded_data_size_bytes` shows the real figure.
 */
export const defaultDailyChange = 0.02;

const speedExpectation = expect("megabits per second above 0", "write what the line really does, for example 50");
const shareExpectation = expect("a share above 0 and at most 1", "for example 0.5 for half");
const speed = z.number(speedExpectation).positive(speedExpectation);
const share = z.number(shareExpectation).positive(shareExpectation).max(1, shareExpectation);
export const line = z.strictObject(
  {
    uplinkMbps: speed.describe("Speed towards the internet, in megabits per second"),
    downlinkMbps: speed.describe("Speed from the internet, in megabits per second"),
    // The other half is for the house and the tenants' visitors.
    backupShare: share.default(0.5).describe("Share of the uplink that backups may take. Default: 0.5"),
    // A bucket on the same continent.
    roundTripMs: between(
      1,
      2000,
      expect("milliseconds from 1 to 2000", "measure it with: ping s3.<region>.wasabisys.com, for example 30"),
    )
      .default(30)
      .describe("Milliseconds from here to the bucket's region and back. Default: 30"),
    dailyChange: share
      .default(defaultDailyChange)
      .describe("Share of the tenants' volumes that is written anew in a day, counted in whole blocks. Default: 0.02"),
  },
  expect("a map with uplinkMbps and downlinkMbps", "for example `kraft:line: { uplinkMbps: 50, downlinkMbps: 200 }`"),
);

const priceExpectation = expect("a price, 0 or more", "write the number alone, for example 0.35");
const price = z.number(priceExpectation).nonnegative(priceExpectation);
export const prices = z.strictObject(
  {
    currency: text(/^[A-Z]{3}$/, expect("three capital letters", "for example EUR")).describe(
      "Currency of all prices, for example EUR",
    ),
    perKilowattHour: price.describe("Price of a kilowatt-hour"),
    wasabiPerTerabyteMonth: price.describe("Price of a terabyte at Wasabi for a month"),
  },
  expect(
    "a map with currency, perKilowattHour and wasabiPerTerabyteMonth",
    "for example `kraft:prices: { currency: EUR, perKilowattHour: 0.35, wasabiPerTerabyteMonth: 7.99 }`",
  ),
);

export const expiry = z
  .record(z.string(), day, expect("a map of days by name", 'for example `kraft:expiry: { domain: "2027-01-31" }`'))
  .default({});
