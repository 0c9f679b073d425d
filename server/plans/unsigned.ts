import type { SignedKind } from "../review/subject.ts";
import type { Catalogue, Offer } from "./catalogue.ts";
import type { PlanNode } from "./plan-spec.ts";

/** What nodes name and nobody has signed yet. */
export function unsignedNames(nodes: readonly PlanNode[], catalogue: Catalogue): { kind: SignedKind; name: string }[] {
  const named = nodes.flatMap(namesOf);
  const isUnsigned = ({ kind, name }: { kind: SignedKind; name: string }) =>
    offersOf(catalogue, kind).some((offer) => offer.name === name && !offer.signed);
  const found = named.filter(isUnsigned);
  return found.filter(
    ({ kind, name }, at) => found.findIndex((each) => each.kind === kind && each.name === name) === at,
  );
}

function namesOf(node: PlanNode): { kind: SignedKind; name: string }[] {
  switch (node.kind) {
    case "agent":
    case "merge": {
      const { oracle } = node;
      return [
        { kind: "role", name: node.role },
        ...(oracle?.kind === "command" ? [{ kind: "command" as const, name: oracle.command }] : []),
        ...(oracle?.kind === "model" ? [{ kind: "role" as const, name: oracle.role }] : []),
      ];
    }
    case "job":
      return [{ kind: "job", name: node.job }];
    case "command":
      return [{ kind: "command", name: node.command }];
    case "person":
    case "host":
      return [];
    default:
      return node satisfies never;
  }
}

function offersOf({ roles, jobs, commands }: Catalogue, kind: SignedKind): readonly Offer[] {
  switch (kind) {
    case "role":
      return roles;
    case "job":
      return jobs;
    case "command":
      return commands;
    case "skill":
    case "mcp_server":
      return [];
    default:
      return kind satisfies never;
  }
}
