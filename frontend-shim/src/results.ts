// Results of Kedge's own methods: Ok, or an Error that becomes an exception.
import type { Error as KedgeError } from "./candid/kedge.gen.ts";
import { Refused } from "./errors.ts";

type Result<T> = { tag: "Ok"; value: T } | { tag: "Err"; value: KedgeError };

// accept returns what a method has to tell, or throws Refused.
export function accept<T>([result]: [Result<T>]): T {
  if (result.tag === "Err") throw new Refused(result.value);
  return result.value;
}
