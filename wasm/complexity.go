package wasm

import (
	"strings"
	"sync"
)

// complexity is what an instruction adds to the complexity of its function, by which the Internet
// Computer bounds the time that compiling one function can take. Instructions that are not listed
// add 1.
var complexityTable = []struct {
	weight uint8
	names  string
}{
	{50, "block loop if br br_if br_table call call_indirect memory.grow"},
	{14, "table.get"},
	{8, "ref.func"},
	{6, "ref.is_null"},
	{5, `i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s
		i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f64.convert_i32_s
		f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u i64.extend_i32_s i64.extend_i32_u f32.demote_f64`},
	{4, "f32.neg f64.neg f32.abs f64.abs memory.copy"},
	{3, `f32.copysign f64.copysign f64.eq i32.div_s i32.div_u i32.rem_s i32.rem_u i64.div_s i64.div_u i64.rem_s i64.rem_u
		f32.div f64.div memory.fill i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s
		i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u
		i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s
		i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u`},
	{2, `global.get i32.popcnt i64.popcnt select memory.size i32.store i64.store f32.store f64.store i32.store8
		i32.store16 i64.store8 i64.store16 i64.store32 i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u
		i32.le_s i32.le_u i32.ge_s i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s
		i64.le_u i64.ge_s i64.ge_u f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.ne f64.lt f64.gt f64.le f64.ge
		f32.ceil f64.ceil f32.floor f64.floor f32.sqrt f64.sqrt f32.trunc f64.trunc i32.reinterpret_f32
		i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.wrap_i64 i32.extend8_s i32.extend16_s
		i64.extend8_s i64.extend16_s i64.extend32_s f64.promote_f32`},
}

// complexityOf has an entry for every opcode, at its Index.
var complexityOf = sync.OnceValue(func() *[OpcodeTable]uint8 {
	byName := map[string]uint8{}
	for _, row := range complexityTable {
		for _, name := range strings.Fields(row.names) {
			byName[name] = row.weight
		}
	}
	table := new([OpcodeTable]uint8)
	for _, op := range Opcodes() {
		table[op.Index()] = max(1, byName[op.String()])
	}
	return table
})
