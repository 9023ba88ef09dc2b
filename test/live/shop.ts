// The shop that the tenant has in their guest: the sample of their sheet, with a page of their own.
import { sampleName } from "../../kraft/welcome/sample.ts";

/** What the tenant writes, and the world reads. */
export const page = "Apples, pears and plums.\n";
export const app = sampleName;
export const host = `${app}.acme.example`;
