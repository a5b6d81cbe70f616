package exec

import (
	"fmt"

	"kedge/ic/principal"
	"kedge/replica/reject"
)

// What a canister may ask about itself, its network and the time.

// rootKeyRoles are the replicated roles, where root_key is available.
const rootKeyRoles = Init | PreUpgrade | Update | ReplicatedQuery | callbacks | Cleanup | task

var canisterCalls = join(
	sized("canister_self", running, func(s *Step) []byte { return s.in.Env.Self.Bytes() }),
	sized("subnet_self", running, func(s *Step) []byte { return s.in.Env.Subnet.Bytes() }),
	sized("root_key", rootKeyRoles, func(s *Step) []byte { return s.in.Env.RootKey }),
	[]syscall{
		{name: "canister_status", results: types(i32), contexts: running, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = uint64(uint32(s.in.Env.Status)) }},
		{name: "canister_version", results: types(i64), contexts: running, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = s.in.Env.Version }},
		{name: "time", results: types(i64), contexts: running, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = s.in.Env.Time }},
		{name: "global_timer_set", params: types(i64), results: types(i64),
			contexts: Init | PreUpgrade | Update | callbacks | Cleanup | task, cost: costDefault,
			run: func(s *Step, stack []uint64) {
				before := s.in.Env.GlobalTimer
				if s.out.GlobalTimer != nil {
					before = *s.out.GlobalTimer
				}
				at := stack[0]
				s.out.GlobalTimer = &at
				stack[0] = before
			}},
		{name: "performance_counter", params: types(i32), results: types(i64), contexts: everywhere, cost: costPerformanceCounter,
			run: func(s *Step, stack []uint64) {
				switch which := uint32(stack[0]); which {
				case 0:
					stack[0] = s.used()
				case 1:
					stack[0] = s.in.ContextInstructions + s.used()
				default:
					panic(violation("Error getting performance counter type: %d", which))
				}
			}},
		{name: "is_controller", params: types(i32, i32), results: types(i32), contexts: everywhere, cost: costIsController, size: argument32(1),
			run: func(s *Step, stack []uint64) {
				stack[0] = flag(s.isController(s.principal("ic0.is_controller", uint32(stack[0]), uint32(stack[1]))))
			}},
		{name: "in_replicated_execution", results: types(i32), contexts: everywhere, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = flag(!s.in.Kind.in(nonReplicated)) }},
	},
)

func (s *Step) isController(p principal.Principal) bool {
	for _, c := range s.in.Env.Controllers {
		if c == p {
			return true
		}
	}
	return false
}

// flag is a boolean as Wasm has it.
func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// certifiedCalls are certified data and its certificate.
var certifiedCalls = []syscall{
	{name: "certified_data_set", params: types(i32, i32), contexts: Init | PreUpgrade | Update | callbacks | task, cost: costDefault, size: argument32(1),
		run: func(s *Step, stack []uint64) {
			size := uint32(stack[1])
			if size > maxCertifiedData {
				panic(userViolation(documented("Try certifying just the hash of your data instead of the full contents.", "certified_data_set-payload-too-large"),
					"ic0_certified_data_set failed because the passed data must be no larger than %d bytes. Found %d bytes.", maxCertifiedData, size))
			}
			src := uint32(stack[0])
			if !s.inHeap(src, size) {
				panic(outOfBounds("ic0_certified_data_set", "src", src, size, s.heapSize()))
			}
			s.out.CertifiedData = append([]byte{}, s.get("ic0_certified_data_set", src, size)...)
		}},
	{name: "data_certificate_present", results: types(i32), contexts: running, cost: costDefault,
		run: func(s *Step, stack []uint64) { stack[0] = flag(s.in.Certificate != nil) }},
	{name: "data_certificate_size", results: types(i32), contexts: Query | CompositeQuery, cost: costDefault,
		run: func(s *Step, stack []uint64) { stack[0] = uint64(len(s.certificate("data_certificate_size"))) }},
	{name: "data_certificate_copy", params: types(i32, i32, i32), contexts: Query | CompositeQuery, cost: costDefault, size: argument32(2),
		run: func(s *Step, stack []uint64) {
			data, dst, offset, size := s.certificate("data_certificate_copy"), uint32(stack[0]), uint32(stack[1]), uint32(stack[2])
			if uint64(offset)+uint64(size) > uint64(len(data)) {
				panic(outOfBounds("ic0_data_certificate_copy", "offset", offset, size, uint64(len(data))))
			}
			if !s.inHeap(dst, size) {
				panic(outOfBounds("ic0_data_certificate_copy", "dst", dst, size, s.heapSize()))
			}
			s.put(dst, data[offset:offset+size])
		}},
}

// maxCertifiedData is the greatest length of certified data in bytes.
const maxCertifiedData = 32

// certificate returns the data certificate, which exists only on the canister that was queried itself.
func (s *Step) certificate(call string) []byte {
	if s.in.Certificate == nil {
		panic(wrongContext(call, s.in.Kind))
	}
	if s.dataCertificate == nil {
		s.dataCertificate = s.in.Certificate()
	}
	return s.dataCertificate
}

// outOfBounds is the violation of the two system calls that word it in their own way.
func outOfBounds(call, what string, start, size uint32, most uint64) *trap {
	return violation("%s failed because %s + size is out of bounds. Found %s = %d and size = %d while %s + size must be <= %d",
		call, what, what, start, size, what, most)
}

// variableCalls are the environment variables.
var variableCalls = []syscall{
	{name: "env_var_count", results: types(i32), contexts: running, cost: costDefault,
		run: func(s *Step, stack []uint64) { stack[0] = uint64(len(s.in.Env.Variables)) }},
	{name: "env_var_name_size", params: types(i32), results: types(i32), contexts: running, cost: costDefault,
		run: func(s *Step, stack []uint64) { stack[0] = uint64(len(s.variableAt(uint32(stack[0])).Name)) }},
	{name: "env_var_name_copy", params: types(i32, i32, i32, i32), contexts: running, cost: costDefault, size: argument32(3),
		run: func(s *Step, stack []uint64) {
			s.copyOut("env_var_name_copy", []byte(s.variableAt(uint32(stack[0])).Name), uint32(stack[1]), uint32(stack[2]), uint32(stack[3]))
		}},
	{name: "env_var_name_exists", params: types(i32, i32), results: types(i32), contexts: running, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			_, ok := s.variable("env_var_name_exists", uint32(stack[0]), uint32(stack[1]))
			stack[0] = flag(ok)
		}},
	{name: "env_var_value_size", params: types(i32, i32), results: types(i32), contexts: running, cost: costDefault,
		run: func(s *Step, stack []uint64) {
			stack[0] = uint64(len(s.mustVariable("env_var_value_size", uint32(stack[0]), uint32(stack[1]))))
		}},
	{name: "env_var_value_copy", params: types(i32, i32, i32, i32, i32), contexts: running, cost: costDefault, size: argument32(4),
		run: func(s *Step, stack []uint64) {
			value := s.mustVariable("env_var_value_copy", uint32(stack[0]), uint32(stack[1]))
			s.copyOut("env_var_value_copy", []byte(value), uint32(stack[2]), uint32(stack[3]), uint32(stack[4]))
		}},
}

// MaxVariableName is the greatest length of the name of an environment variable in bytes.
const MaxVariableName = 128

func (s *Step) variableAt(index uint32) Variable {
	if int64(index) >= int64(len(s.in.Env.Variables)) {
		panic(&trap{code: reject.ContractViolation, text: fmt.Sprintf("Environment variable index %d is out of bounds. The number of environment variables is %d.",
			index, len(s.in.Env.Variables))})
	}
	return s.in.Env.Variables[index]
}

func (s *Step) variable(call string, src, size uint32) (value string, ok bool) {
	if size > MaxVariableName {
		panic(userViolation("", "ic0.%s: Variable name is too large.", call))
	}
	place := " heap"
	if call == "env_var_value_copy" {
		place = " name"
	}
	name := string(s.get("ic0."+call+place, src, size))
	if !validText(name) {
		panic(userViolation("Provide a valid UTF-8 string for the environment variable name.", "ic0.%s: Variable name is not a valid UTF-8 string.", call))
	}
	for _, v := range s.in.Env.Variables {
		if v.Name == name {
			return v.Value, true
		}
	}
	return name, false
}

func (s *Step) mustVariable(call string, src, size uint32) string {
	value, ok := s.variable(call, src, size)
	if !ok {
		panic(&trap{code: reject.ContractViolation, text: fmt.Sprintf("Environment variable %s not found.", value)})
	}
	return value
}
