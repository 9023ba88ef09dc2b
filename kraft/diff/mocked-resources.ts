import * as pulumi from "@pulumi/pulumi";

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly parent: string | undefined;
}

/** UID that the mocked cluster gives its namespace `kube-system`. */
export const mockedUid = "11111111-2222-3333-4444-555555555555";

/**
 * What a program declares under Pulumi's mocks: names, inputs and options. What an API server makes of it is a matter
 * for test/cluster; a mock only shows what was asked for. Call it once in a process, before anything else of Pulumi's.
 */
export async function declared(stack: string, program: () => Promise<void> | void): Promise<Declared[]> {
  const resources: Declared[] = [];
  const inputs = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs: given, id }) => {
        inputs.set(`${type} ${name}`, given as Record<string, unknown>);
        const read = id === "kube-system" ? { metadata: { name: id, uid: mockedUid } } : {};
        // What Wasabi would make. An identity is given, and not empty, only of what is read.
        const made = type === "aws:iam/accessKey:AccessKey" ? { secret: `${name}-secret` } : {};
        return { id: (id ?? "") === "" ? `${name}-id` : id, state: { ...(given as object), ...read, ...made } };
      },
      call: () => ({}),
    },
    "kraft",
    stack,
  );
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, opts, props }) => {
      const { protect, retainOnDelete, parent } = opts as pulumi.CustomResourceOptions;
      resources.push({
        type,
        name,
        inputs: {},
        // Under mocks nobody inherits: the engine hands a component's protection down, test/cluster sees it.
        protect: protect ?? (parent as { __protect?: boolean } | undefined)?.__protect ?? false,
        retainOnDelete: retainOnDelete === true,
        parent: (parent as { __name?: string } | undefined)?.__name,
      });
      return { props, opts };
    });
    await program();
    return {};
  });
  // Waits until every registration has been answered.
  await pulumi.runtime.disconnect();
  return resources.map((resource) => ({ ...resource, inputs: inputs.get(`${resource.type} ${resource.name}`) ?? {} }));
}
