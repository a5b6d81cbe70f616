package production_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ic/management"
	"kedge/ic/principal"
)

// difference is where the network does not do what production did: the step, and what of it.
type difference struct {
	step       int
	what       string
	got, wants any
}

func (d difference) String() string {
	return fmt.Sprintf("step %d %s:\n      got   %v\n      wants %v", d.step, d.what, d.got, d.wants)
}

// aspect names what differs, without the values.
func (d difference) aspect() string { return fmt.Sprintf("%d.%s", d.step, d.what) }

// compare runs a scenario and returns how it differs; made is false if one of its modules cannot be made.
func compare(t *testing.T, s scenario, cache string) (differences []difference, made bool) {
	p := newPlayer(t, cache)
	for i := range s.Steps {
		c := &comparison{player: p, index: i, step: &s.Steps[i]}
		c.run()
		differences = append(differences, c.found...)
		if p.unknown {
			return nil, false
		}
	}
	return differences, true
}

// comparison is of one step.
type comparison struct {
	*player
	index int
	step  *step
	found []difference
}

func (c *comparison) differ(what string, got, wants any) {
	c.found = append(c.found, difference{c.index, what, got, wants})
}

func same[T comparable](c *comparison, what string, got, wants T) {
	if got != wants {
		c.differ(what, got, wants)
	}
}

func (c *comparison) run() {
	var err error
	switch s := c.step; s.Op {
	case "code":
		code := s.module()
		c.modules[s.Name], c.unknown = code, code == nil
	case "update", "query":
		err = c.call()
	case "advance":
		err = c.Advance(c.ctx, time.Duration(s.NS))
	case "tick":
		for range s.N {
			c.Tick(c.ctx)
		}
	case "state":
		err = c.state()
	case "logs":
		err = c.logs()
	default:
		err = fmt.Errorf("no such operation: %q", s.Op)
	}
	if err != nil {
		c.differ("error", err, "none")
	}
}

func (c *comparison) call() error {
	var want expectation
	if err := json.Unmarshal(c.step.Expect, &want); err != nil {
		return err
	}
	var got *outcome
	var err error
	if c.step.Op == "query" {
		got, err = c.query(c.step)
	} else {
		got, err = c.update(c.step, want.Phase == "pending")
	}
	if err != nil {
		return err
	}
	same(c, "phase", got.phase, want.Phase)
	if got.refusal != nil {
		same(c, "reject_code", int(got.refusal.RejectCode()), want.RejectCode)
		same(c, "error_code", got.refusal.Code.String(), want.ErrorCode)
		c.message(got.refusal.Message, want.Message)
	} else if want.Message != "" {
		c.differ("message", fmt.Sprintf("a reply: %.200x", got.reply), want.Message)
	} else if err := c.reply(got.reply, want); err != nil {
		return err
	}
	if want.Instructions != nil {
		same(c, "instructions", got.report.Instructions, *want.Instructions)
	}
	for name, wants := range want.Cycles {
		if got, ok := got.spent[name]; !ok || got != wants {
			c.differ("cycles of "+name, got, wants)
		}
	}
	for name, wants := range want.Pages {
		pages := map[string]uint64{"wasm_dirty_wasm_pages": ahead(got.heap, wants),
			"stable_accessed_pages": got.report.StableRead4K, "stable_dirty_pages": got.report.StableWritten4K}
		if got, ok := pages[name]; !ok || got != wants {
			c.differ(name, got, wants)
		}
	}
	return nil
}

// ahead counts pages of heap as production's metric does: where a canister writes page after page, production
// marks up to 512 KiB ahead, eight pages. Nobody pays for that, and no canister or caller sees it.
func ahead(pages, wants uint64) uint64 {
	const block = 8
	if up := (pages + block - 1) / block * block; pages > block && up == wants {
		return up
	}
	return pages
}

func (c *comparison) message(got, want string) {
	same(c, "message", got, c.text(want))
}

// reply compares a reply. It gives names to the canisters that a reply tells of first.
func (c *comparison) reply(got []byte, want expectation) error {
	if want.ReplySize != nil {
		same(c, "reply_size", len(got), *want.ReplySize)
	}
	if want.Reply != nil {
		c.baptise(hex.EncodeToString(got), *want.Reply)
		wants, err := c.bytes(*want.Reply)
		if err != nil {
			return err
		}
		same(c, "reply", hex.EncodeToString(got), hex.EncodeToString(wants))
	}
	if want.Decoded == nil {
		return nil
	}
	value, err := decodeCandid(got)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(want.Decoded)))
	decoder.UseNumber()
	var wants any
	if err := decoder.Decode(&wants); err != nil {
		return err
	}
	c.value("decoded", value, wants)
	return nil
}

// baptise finds the canisters that have no name yet.
func (c *comparison) baptise(got, want string) {
	pattern := regexp.QuoteMeta(want)
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(want, -1) {
		if _, known := c.canisters[match[2]]; !known && !slices.Contains(names, match[2]) {
			names = append(names, match[2])
			pattern = strings.Replace(pattern, regexp.QuoteMeta(match[0]), "([0-9a-f]{20})", 1)
		} else if known {
			pattern = strings.Replace(pattern, regexp.QuoteMeta(match[0]), hex.EncodeToString(c.canisters[match[2]].Bytes()), 1)
		}
	}
	found := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(got)
	for i, name := range names {
		if found == nil {
			continue
		}
		raw, _ := hex.DecodeString(found[i+1])
		if id, err := principal.FromBytes(raw); err == nil {
			c.canisters[name] = id
		}
	}
}

// value compares a decoded value; fields that production did not have are not compared.
func (c *comparison) value(where string, got, wants any) {
	switch wants := wants.(type) {
	case map[string]any:
		fields, ok := got.(map[uint64]any)
		if !ok {
			c.differ(where, got, wants)
			return
		}
		for name, want := range wants {
			if field, ok := fields[fieldID(name)]; ok {
				c.value(where+"."+name, field, want)
			} else {
				c.differ(where+"."+name, "absent", want)
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(wants) {
			c.differ(where, got, wants)
			return
		}
		for i := range wants {
			c.value(fmt.Sprintf("%s.%d", where, i), list[i], wants[i])
		}
	case json.Number:
		same(c, where, fmt.Sprint(got), wants.String())
	case string:
		text := placeholder.ReplaceAllStringFunc(wants, func(match string) string {
			raw, _ := c.bytes(match)
			return hex.EncodeToString(raw)
		})
		same(c, where, fmt.Sprint(got), text)
	default:
		same(c, where, got, wants)
	}
}

// state compares what a canister holds.
func (c *comparison) state() error {
	var want *memoryState
	if err := json.Unmarshal(c.step.Expect, &want); err != nil {
		return err
	}
	id, err := c.canister(c.step.To)
	if err != nil {
		return err
	}
	status, err := c.Status(c.ctx, id)
	switch {
	case want == nil && err != nil:
		return nil // there is no such canister any more
	case want == nil:
		c.differ("state", "a canister", "none")
		return nil
	case err != nil:
		return err
	}
	same(c, "memory_usage", status.MemorySize.Int64(), want.MemoryUsage)
	same(c, "version", status.Version, want.Version)
	return nil
}

func (c *comparison) canister(to string) (principal.Principal, error) {
	raw, err := c.bytes(to)
	if err != nil {
		return principal.Principal{}, err
	}
	return principal.FromBytes(raw)
}

// logs compares the log of a canister: indices and contents.
func (c *comparison) logs() error {
	var wants [][2]any
	if err := json.Unmarshal(c.step.Expect, &wants); err != nil {
		return err
	}
	id, err := c.canister(c.step.To)
	if err != nil {
		return err
	}
	var want []string
	for _, entry := range wants {
		want = append(want, fmt.Sprintf("%v %s", entry[0], c.text(fmt.Sprint(entry[1]))))
	}
	got, err := c.readLogs(id)
	if err != nil {
		return err
	}
	same(c, "logs", strings.Join(got, "\n"), strings.Join(want, "\n"))
	return nil
}

func (c *comparison) readLogs(id principal.Principal) (entries []string, err error) {
	status, err := c.Status(c.ctx, id)
	if err != nil {
		return nil, err
	}
	raw, err := c.ask(id, status, "fetch_canister_logs", management.EncodeFetchCanisterLogsArgs(management.LogsArg{CanisterID: id}))
	if err != nil {
		return nil, err
	}
	logs, err := management.DecodeFetchCanisterLogsResult(raw)
	for _, r := range logs.CanisterLogRecords {
		entries = append(entries, fmt.Sprintf("%v %s", r.Idx, strings.ToValidUTF8(string(r.Content), "\uFFFD")))
	}
	return entries, err
}
