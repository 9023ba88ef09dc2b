export const neededMajor: number;
export function isNewEnough(version: string): boolean;
