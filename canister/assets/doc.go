// Package assets serves the web page of the canister: files that an HTTP gateway can hold against what the
// network certified (HTTP Gateway Protocol Specification, response verification version 2).
//
// Everything that does not depend on the canister is computed when the module is built, by package pack:
// the files, plain and compressed, their headers, and the hash tree over all of them. The result is one
// binary text, the pack, which is embedded in the module. So installing costs nothing for it, and
// answering a request takes a walk through the tree and no hashing.
//
// The tree stands under the label "http_expr" in the canister's certified tree, beside the signatures:
//
//	http_expr / segments of the path… / <$> / SHA-256(expression) / "" / SHA-256(response) = ""
//	http_expr / <*>                         / SHA-256(expression) / "" / SHA-256(response) = ""
//
// The second line is the answer to every path that does not exist; its witness proves that it does not. One
// expression certifies every header that is sent, so that none can be forgotten: gateways drop the rest.
//
// A few documents depend on the init argument. Their places are in the tree, with an answer 404, and
// [Site.Set] puts a document there.
package assets
