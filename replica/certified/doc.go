// Package certified holds the part of a local network's state that it certifies: it builds the state
// tree of the Interface Specification ("The system state tree"), signs it once a round, and cuts
// certificates out of it.
//
// A network has three keys ([Keys]): the root key, the key of its one application subnet, to which the
// root key delegates, and the Ed25519 key of its one node, which signs answers to queries. The delegation
// is there because real networks have one, and because some clients only accept certificates of
// mainnet's root subnet without it.
//
// [State] is written to by whoever executes messages, one goroutine at a time, and published by
// [State.Certify]; a [Snapshot] is what was published, never changes, and is read by many. The tree is
// kept between rounds and changed along the paths of what changed, so a round costs the hashing of
// those paths and one signature.
//
//	/time
//	/subnet/<id>/{public_key,type,canister_ranges}          of the root and of the application subnet
//	/subnet/<id>/{metrics,node/<node>/public_key}           of the application subnet
//	/canister_ranges/<id>/<first id of the first range>     of both
//	/canister/<id>/{controllers,module_hash,certified_data,metadata/<name>,…}
//	/request_status/<id>/{status,reply,reject_code,reject_message,error_code}
//	/api_boundary_nodes                                     empty
package certified
