/** A recovery kit: everything that a rebuild needs besides the repository, in one folder outside the house. */

/** The names of its files. */
export interface KitFiles {
  readonly passphrase: string;
  readonly stackFile: string;
  readonly state: string;
  readonly readme: string;
}

export function kitFiles(stack: string): KitFiles {
  return {
    passphrase: "passphrase",
    stackFile: `Pulumi.${stack}.yaml`,
    state: `state-${stack}.json`,
    readme: `READ-ME-${stack}.txt`,
  };
}

/** For whoever finds it, perhaps years later. */
export function readmeText(stack: string): string {
  const { passphrase, stackFile, state } = kitFiles(stack);
  return `Recovery kit of the Kraft stack "${stack}".

WHOEVER HAS THIS FOLDER CAN READ AND DELETE EVERY BACKUP AND OPEN EVERY TENANT'S CLUSTER.
Keep it locked away, away from the house, and encrypted.

  ${passphrase}
      the passphrase of ${stackFile}
  ${stackFile}
      the stack file: what the platform is, and its secrets under that passphrase
  ${state}
      Pulumi's record of what it made, its secrets under the same passphrase

After the loss of the house:

  1. Get Kraft's repository, and put ${stackFile} of this folder into it if it has none, or an older one.
  2. npm ci
     export PULUMI_CONFIG_PASSPHRASE_FILE=<this folder>/${passphrase}
  3. npx kraft restore plan -s ${stack}
     shows, without any cluster, what the backups hold and how long it takes.
  4. Go on with the repository's documentation on how to rebuild.

Check this folder every three months:  npx kraft kit <this folder> -s ${stack}
`;
}
