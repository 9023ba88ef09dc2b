/** The largest value that the kernel takes for these (`int`). */
const unlimited = 2_147_483_647;

/**
 * What the kernel counts for each user or for the machine as a whole. `root` of all containers and of the node is one user to
 * it, so that under the kernel's own limits one pod with a gibibyte of memory takes what k3s and every neighbour need: 5.5
 * million files watched by epoll, 65536 events of asynchronous I/O, 128 instances of inotify. What is counted takes memory of
 * the pod's own (`GFP_KERNEL_ACCOUNT`, `SLAB_ACCOUNT`), whose limit ends it.
 */
export const kernelLimits = {
  "fs.aio-max-nr": unlimited,
  "fs.epoll.max_user_watches": unlimited,
  "fs.inotify.max_user_instances": unlimited,
  "fs.inotify.max_user_watches": unlimited,
} as const;
