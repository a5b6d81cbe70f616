package httpapi

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
)

// The table of who may read what.
func TestReadStatePermissions(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	keys := d.state.Keys()
	root, own, node := keys.RootID(), keys.SubnetID(), keys.NodeID()
	mine, theirs := owner.sign(t, call("echo", 1)), alice.sign(t, call("echo", 2))
	for _, e := range []*request.Envelope{mine, theirs} {
		status, _ := d.post(path("v2", "canister", canister, "call"), e.Encode())
		require.Equal(t, http.StatusAccepted, status)
	}
	myID, theirID, unknown := mine.Content.ID(), theirs.Content.ID(), request.ID{1}
	limited := owner.delegate(t, alice, func(d *request.Delegation) { d.Targets = []principal.Principal{other} })
	unlimited := owner.delegate(t, alice, func(d *request.Delegation) { d.Targets = []principal.Principal{other, canister} })
	const found, absent, pruned = hashtree.Found, hashtree.Absent, hashtree.Unknown

	type check struct {
		path   [][]byte
		status hashtree.Status
	}
	is := func(status hashtree.Status, parts ...any) check { return check{labels(parts...), status} }
	for _, tc := range []struct {
		name   string
		as     user
		kind   string // "v3/canister" if empty
		id     principal.Principal
		paths  [][][]byte
		status int
		want   string
		checks []check
	}{
		{name: "nothing", checks: []check{is(found, "time"), is(pruned, "canister", canister, "module_hash")}},
		{name: "time", paths: [][][]byte{labels("time")}, checks: []check{is(found, "time")}},
		{name: "below time", paths: [][][]byte{labels("time", "x")}, status: 404, want: "Invalid path requested."},
		{name: "empty path", paths: [][][]byte{{}}, status: 404},
		{name: "unknown path", paths: [][][]byte{labels("streams")}, status: 404},
		{name: "boundary nodes", paths: [][][]byte{labels("api_boundary_nodes")}, checks: []check{is(absent, "api_boundary_nodes", "x", "domain")}},
		{name: "below boundary nodes", paths: [][][]byte{labels("api_boundary_nodes", "x", "y", "z")}, status: 404},

		{name: "subnets", paths: [][][]byte{labels("subnet")}, checks: []check{
			is(found, "subnet", own, "public_key"), is(found, "subnet", own, "type"), is(found, "subnet", own, "canister_ranges"),
			is(found, "subnet", own, "node", node, "public_key"), is(pruned, "subnet", own, "metrics"), is(found, "subnet", root, "public_key")}},
		{name: "own subnet", paths: [][][]byte{labels("subnet", own)}, checks: []check{is(found, "subnet", own, "type"), is(pruned, "subnet", own, "metrics"), is(pruned, "subnet", root, "type")}},
		{name: "unknown subnet", paths: [][][]byte{labels("subnet", canister)}, checks: []check{is(absent, "subnet", canister, "public_key")}},
		{name: "subnet key", paths: [][][]byte{labels("subnet", own, "public_key")}, checks: []check{is(found, "subnet", own, "public_key"), is(pruned, "subnet", own, "type")}},
		{name: "subnet type", paths: [][][]byte{labels("subnet", own, "type")}, checks: []check{is(found, "subnet", own, "type")}},
		{name: "nodes", paths: [][][]byte{labels("subnet", own, "node")}, checks: []check{is(found, "subnet", own, "node", node, "public_key")}},
		{name: "node", paths: [][][]byte{labels("subnet", own, "node", node)}, checks: []check{is(found, "subnet", own, "node", node, "public_key")}},
		{name: "node key", paths: [][][]byte{labels("subnet", own, "node", node, "public_key")}, checks: []check{is(found, "subnet", own, "node", node, "public_key")}},
		{name: "below node", paths: [][][]byte{labels("subnet", own, "node", node, "other")}, status: 404},
		{name: "root ranges", paths: [][][]byte{labels("subnet", root, "canister_ranges")}, checks: []check{is(found, "subnet", root, "canister_ranges")}},
		{name: "flat ranges, new", paths: [][][]byte{labels("subnet", own, "canister_ranges")}, status: 404},
		{name: "flat ranges, old", kind: "v2/canister", paths: [][][]byte{labels("subnet", own, "canister_ranges")}, checks: []check{is(found, "subnet", own, "canister_ranges")}},
		{name: "metrics by canister", paths: [][][]byte{labels("subnet", own, "metrics")}, status: 404},
		{name: "metrics by subnet", kind: "v2/subnet", id: own, paths: [][][]byte{labels("subnet", own, "metrics")}, checks: []check{is(found, "subnet", own, "metrics")}},
		{name: "metrics of root", kind: "v2/subnet", id: own, paths: [][][]byte{labels("subnet", root, "metrics")}, status: 404},
		{name: "metrics by root", kind: "v2/subnet", id: root, paths: [][][]byte{labels("subnet", own, "metrics")}, status: 404},
		{name: "subnets by root", kind: "v2/subnet", id: root, paths: [][][]byte{labels("subnet")}, checks: []check{is(found, "subnet", own, "public_key")}},
		{name: "shards by canister", paths: [][][]byte{labels("canister_ranges", own)}, status: 404},
		{name: "shards by subnet", kind: "v3/subnet", id: own, paths: [][][]byte{labels("canister_ranges", own)}, checks: []check{is(found, "canister_ranges", own, principal.Canister(0))}},
		{name: "shards of two", kind: "v3/subnet", id: own, paths: [][][]byte{labels("canister_ranges", own), labels("canister_ranges", root)}, status: 400},
		{name: "all shards", kind: "v3/subnet", id: own, paths: [][][]byte{labels("canister_ranges")}, status: 404},

		{name: "own request", as: owner, paths: [][][]byte{labels("request_status", myID)}, checks: []check{is(found, "request_status", myID, "reply"), is(pruned, "request_status", theirID, "reply")}},
		{name: "own status", as: owner, paths: [][][]byte{labels("request_status", myID, "status")}, checks: []check{is(found, "request_status", myID, "status"), is(pruned, "request_status", myID, "reply")}},
		{name: "two paths of one request", as: owner, paths: [][][]byte{labels("request_status", myID, "status"), labels("request_status", myID, "reply")}, checks: []check{is(found, "request_status", myID, "reply")}},
		{name: "another's request", as: owner, paths: [][][]byte{labels("request_status", theirID)}, status: 403, want: "The user tries to access Request ID not signed by the caller."},
		{name: "request anonymously", paths: [][][]byte{labels("request_status", myID)}, status: 403},
		{name: "unknown request", as: owner, paths: [][][]byte{labels("request_status", unknown)}, checks: []check{is(absent, "request_status", unknown, "status")}},
		{name: "two requests", as: owner, paths: [][][]byte{labels("request_status", myID), labels("request_status", unknown)}, status: 400, want: "More than one"},
		{name: "short request id", as: owner, paths: [][][]byte{labels("request_status", "short")}, status: 400, want: "5 bytes instead of 32"},
		{name: "all requests", as: owner, paths: [][][]byte{labels("request_status")}, status: 404},
		{name: "below request", as: owner, paths: [][][]byte{labels("request_status", myID, "secret")}, status: 404},
		{name: "request by another canister", as: owner, id: other, paths: [][][]byte{labels("request_status", myID)}, status: 403, want: "effective canister ID"},
		{name: "request by subnet", as: owner, kind: "v3/subnet", id: own, paths: [][][]byte{labels("request_status", myID)}, status: 404},
		{name: "request beyond the targets", as: limited, paths: [][][]byte{labels("request_status", myID)}, status: 403, want: "not belonging to sender delegation targets"},
		{name: "request within the targets", as: unlimited, paths: [][][]byte{labels("request_status", myID)}, checks: []check{is(found, "request_status", myID, "reply")}},

		{name: "module hash", paths: [][][]byte{labels("canister", canister, "module_hash")}, checks: []check{is(found, "canister", canister, "module_hash"), is(pruned, "canister", canister, "controllers")}},
		{name: "controllers", paths: [][][]byte{labels("canister", canister, "controllers")}, checks: []check{is(found, "canister", canister, "controllers")}},
		{name: "certified data", as: owner, paths: [][][]byte{labels("canister", canister, "certified_data")}, status: 404},
		{name: "all of a canister", as: owner, paths: [][][]byte{labels("canister", canister)}, status: 404},
		{name: "all canisters", paths: [][][]byte{labels("canister")}, status: 404},
		{name: "missing canister", id: other, paths: [][][]byte{labels("canister", other, "module_hash")}, checks: []check{is(absent, "canister", other, "module_hash")}},
		{name: "other canister", paths: [][][]byte{labels("canister", other, "module_hash")}, status: 400, want: "does not match requested principal id"},
		{name: "canister id too long", paths: [][][]byte{labels("canister", "this is not the id of a canister", "module_hash")}, status: 400},
		{name: "canister by subnet", kind: "v3/subnet", id: own, paths: [][][]byte{labels("canister", canister, "module_hash")}, status: 404},
		{name: "public metadata", paths: [][][]byte{labels("canister", canister, "metadata", "candid:service")}, checks: []check{is(found, "canister", canister, "metadata", "candid:service"), is(pruned, "canister", canister, "metadata", "notes")}},
		{name: "private metadata", as: alice, paths: [][][]byte{labels("canister", canister, "metadata", "notes")}, status: 403, want: "Custom section notes can only be requested by the controllers of the canister."},
		{name: "private metadata of its controller", as: owner, paths: [][][]byte{labels("canister", canister, "metadata", "notes")}, checks: []check{is(found, "canister", canister, "metadata", "notes")}},
		{name: "missing metadata", paths: [][][]byte{labels("canister", canister, "metadata", "x")}, checks: []check{is(absent, "canister", canister, "metadata", "x")}},
		{name: "all metadata", paths: [][][]byte{labels("canister", canister, "metadata")}, status: 404},
		{name: "metadata not UTF-8", paths: [][][]byte{labels("canister", canister, "metadata", "\xff")}, status: 400, want: "not UTF-8"},
		{name: "metadata of a missing canister", id: other, paths: [][][]byte{labels("canister", other, "metadata", "x")}, checks: []check{is(absent, "canister", other, "metadata", "x")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kind, id, status := tc.kind, tc.id, tc.status
			if kind == "" {
				kind = "v3/canister"
			}
			if id == (principal.Principal{}) {
				id = canister
			}
			if status == 0 {
				status = http.StatusOK
			}
			got, answer := d.post("/api/"+kind+"/"+id.Text()+"/read_state", tc.as.sign(t, read(tc.paths...)).Encode())
			if tc.paths == nil {
				got, answer = d.post("/api/"+kind+"/"+id.Text()+"/read_state", tc.as.sign(t, read([][][]byte{}...)).Encode())
			}
			require.Equal(t, status, got, string(answer))
			require.Contains(t, string(answer), tc.want)
			if status != http.StatusOK {
				return
			}
			tree := d.certificateIn(answer)
			for _, c := range append(tc.checks, is(found, "time")) {
				_, got := tree.Lookup(c.path...)
				require.Equal(t, c.status, got, "%q: %s", c.path, got)
			}
		})
	}
}
