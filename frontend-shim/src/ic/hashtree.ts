// Hash trees (Interface Specification, "Certification").
import { sha256 } from "@noble/hashes/sha2.js";
import { compare, concat, equal, utf8 } from "./bytes.ts";
import { type Cbor, bytesOf } from "./cbor.ts";

// separated hashes parts under a domain separator, as the network does.
export function separated(domain: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(concat(Uint8Array.of(domain.length), utf8(domain), ...parts));
}

// reconstruct computes the root hash of a tree.
export function reconstruct(tree: Cbor): Uint8Array {
  const node = tree as Cbor[];
  switch (node[0]) {
    case 0: return separated("ic-hashtree-empty");
    case 1: return separated("ic-hashtree-fork", reconstruct(node[1]), reconstruct(node[2]));
    case 2: return separated("ic-hashtree-labeled", bytesOf(node[1]), reconstruct(node[2]));
    case 3: return separated("ic-hashtree-leaf", bytesOf(node[1]));
    case 4: {
      const hash = bytesOf(node[1]);
      if (hash.length === 32) return hash;
    }
  }
  throw new TypeError("not a hash tree");
}

// children are the labelled branches of a tree, in order, and whether something between them is pruned.
function children(tree: Cbor): { branches: Array<[label: Uint8Array, tree: Cbor]>; pruned: boolean } {
  const node = tree as Cbor[];
  if (node[0] === 1) {
    const left = children(node[1]), right = children(node[2]);
    return { branches: [...left.branches, ...right.branches], pruned: left.pruned || right.pruned };
  }
  return { branches: node[0] === 2 ? [[bytesOf(node[1]), node[2]]] : [], pruned: node[0] === 4 };
}

// lookup returns the leaf at a path; undefined if the tree does not show one.
export function lookup(tree: Cbor, path: Array<string | Uint8Array>): Uint8Array | undefined {
  const found = subtree(tree, path) as Cbor[] | undefined;
  return found?.[0] === 3 ? bytesOf(found[1]) : undefined;
}

// subtree returns what hangs at a path; undefined if the tree does not show it.
export function subtree(tree: Cbor, path: Array<string | Uint8Array>): Cbor | undefined {
  for (const label of path) {
    const bytes = typeof label === "string" ? utf8(label) : label;
    const found = children(tree).branches.find(([l]) => equal(l, bytes));
    if (!found) return undefined;
    tree = found[1];
  }
  return tree;
}

// labels are the labels right below a tree, in ascending order.
export const labels = (tree: Cbor): Uint8Array[] => children(tree).branches.map(([l]) => l).sort(compare);
