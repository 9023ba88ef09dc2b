import { removeHostCluster } from "./host-cluster.ts";
const t = Date.now();
console.log(await removeHostCluster("/tmp/try/local"), Date.now() - t);
