package gateway

import (
	"errors"
	"fmt"
	"strings"
)

// A canister says what of an answer it certifies in a small language, for instance
//
//	default_certification(ValidationArgs{certification: Certification{
//	  request_certification: RequestCertification{certified_request_headers: ["host"], certified_query_parameters: ["q"]},
//	  response_certification: ResponseCertification{certified_response_headers: ResponseHeaderList{headers: ["content-type"]}}}})
//
// with no_certification: Empty{} in place of certification, or no_request_certification: Empty{}, or
// response_header_exclusions in place of certified_response_headers. What is read is what production's
// gateways read (crate ic-response-verification), so that an expression that works here works there: strings
// are of letters, digits and -, there is no comma behind a last element, of two fields with the same name the
// last counts, and what stands behind the end does not.

// expression is what a canister certifies.
type expression struct {
	nothing bool

	request        bool // of the request, too
	requestHeaders []string
	queryParams    []string

	responseHeaders []string
	exclude         bool // responseHeaders are those not certified
}

// maxExpression is the greatest length of an expression in bytes.
const maxExpression = 16 << 10

func parseExpression(text string) (expression, error) {
	if len(text) > maxExpression {
		return expression{}, errors.New("the certificate expression is too long")
	}
	p := parser{rest: text}
	e, err := p.expression()
	if err != nil {
		return e, fmt.Errorf("certificate expression: %w", err)
	}
	return e, nil
}

// value is a node of the language.
type value struct {
	kind   valueKind
	name   string           // of an object or a function
	fields map[string]value // of an object
	list   []value          // of an array, and the arguments of a function
	text   string
}

type valueKind uint8

const (
	object valueKind = iota
	function
	array
	text
)

type parser struct{ rest string }

func (p *parser) accept(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " \t\r\n"), token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) expect(token string) error {
	if !p.accept(token) {
		return fmt.Errorf("expected %q before %.20q", token, p.rest)
	}
	return nil
}

func isAlphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// while cuts off the characters that ok says.
func (p *parser) while(ok func(rune) bool) string {
	end := strings.IndexFunc(p.rest, func(c rune) bool { return !ok(c) })
	if end < 0 {
		end = len(p.rest)
	}
	cut := p.rest[:end]
	p.rest = p.rest[end:]
	return cut
}

func (p *parser) word() string {
	return p.while(func(c rune) bool { return c == '_' || isAlphanumeric(c) })
}

func (p *parser) value(depth int) (v value, err error) {
	if depth == 0 {
		return v, errors.New("nested too deep")
	}
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	v.name = p.word()
	switch {
	case p.accept("{"):
		v.kind, v.fields = object, map[string]value{}
		err = p.list("}", func() error { return p.field(v.fields, depth) })
	case p.accept("("):
		v.kind = function
		err = p.list(")", func() error { return p.element(&v.list, depth) })
	case v.name == "" && p.accept("["):
		v.kind = array
		err = p.list("]", func() error { return p.element(&v.list, depth) })
	case v.name == "" && p.accept(`"`):
		v.kind = text
		v.text, err = p.text()
	default:
		err = fmt.Errorf("expected a value before %.20q", p.rest)
	}
	return v, err
}

// list reads elements with commas between them up to the token.
func (p *parser) list(end string, element func() error) error {
	if p.accept(end) {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if !p.accept(",") {
			return p.expect(end)
		}
	}
}

func (p *parser) element(list *[]value, depth int) error {
	v, err := p.value(depth - 1)
	*list = append(*list, v)
	return err
}

func (p *parser) field(fields map[string]value, depth int) (err error) {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	key := p.word()
	if err := p.expect(":"); err != nil {
		return err
	}
	fields[key], err = p.value(depth - 1)
	return err
}

// text reads a string behind its quote. Escapes stay as they are: no name of a header has one.
func (p *parser) text() (string, error) {
	begin := p.rest
	for {
		p.while(func(c rune) bool { return c == '-' || isAlphanumeric(c) })
		rest, escaped := strings.CutPrefix(p.rest, `\`)
		if !escaped {
			break
		}
		if rest == "" || !strings.ContainsRune(`"n\`, rune(rest[0])) {
			return "", fmt.Errorf("an escape that is not known in %.20q", p.rest)
		}
		p.rest = rest[1:]
	}
	content := begin[:len(begin)-len(p.rest)]
	if err := p.expect(`"`); err != nil {
		return "", fmt.Errorf("a string holds letters, digits and - alone: %w", err)
	}
	return content, nil
}

func (p *parser) expression() (e expression, err error) {
	call, err := p.value(16)
	if err != nil {
		return e, err
	}
	if call.kind != function || call.name != "default_certification" || len(call.list) == 0 {
		return e, errors.New("expected default_certification(…)")
	}
	args, err := call.list[0].object("ValidationArgs")
	if err != nil {
		return e, err
	}
	certification, some := args["certification"]
	_, none := args["no_certification"]
	switch {
	case none && !some:
		return expression{nothing: true}, nil
	case none == some:
		return e, errors.New("expected one of certification and no_certification")
	}
	fields, err := certification.object("Certification")
	if err != nil {
		return e, err
	}
	if err := e.readRequest(fields); err != nil {
		return e, err
	}
	return e, e.readResponse(fields)
}

// object returns the fields of an object with the name.
func (v value) object(name string) (map[string]value, error) {
	if v.kind != object || v.name != name {
		return nil, fmt.Errorf("expected %s{…}", name)
	}
	return v.fields, nil
}

// texts returns the elements of an array of strings.
func (v value) texts(name string) ([]string, error) {
	out := make([]string, 0, len(v.list))
	for _, element := range v.list {
		if element.kind != text {
			return nil, fmt.Errorf("%s: expected a list of strings", name)
		}
		out = append(out, element.text)
	}
	if v.kind != array {
		return nil, fmt.Errorf("%s: expected a list of strings", name)
	}
	return out, nil
}

func (e *expression) readRequest(fields map[string]value) error {
	request, some := fields["request_certification"]
	_, none := fields["no_request_certification"]
	switch {
	case none && !some:
		return nil
	case none == some:
		return errors.New("expected one of request_certification and no_request_certification")
	}
	lists, err := request.object("RequestCertification")
	if err != nil {
		return err
	}
	e.request = true
	if e.requestHeaders, err = lists["certified_request_headers"].texts("certified_request_headers"); err != nil {
		return err
	}
	e.queryParams, err = lists["certified_query_parameters"].texts("certified_query_parameters")
	return err
}

func (e *expression) readResponse(fields map[string]value) error {
	response, err := fields["response_certification"].object("ResponseCertification")
	if err != nil {
		return err
	}
	only, some, err := headerList(response, "certified_response_headers")
	if err != nil {
		return err
	}
	except, others, err := headerList(response, "response_header_exclusions")
	switch {
	case err != nil:
		return err
	case some == others:
		return errors.New("expected one of certified_response_headers and response_header_exclusions")
	case some:
		e.responseHeaders = only
	default:
		e.responseHeaders, e.exclude = except, true
	}
	return nil
}

// headerList returns the headers of a ResponseHeaderList, if there are any.
func headerList(fields map[string]value, name string) (headers []string, ok bool, err error) {
	v, ok := fields[name]
	if !ok {
		return nil, false, nil
	}
	list, err := v.object("ResponseHeaderList")
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	if v, ok = list["headers"]; !ok {
		return nil, false, nil
	}
	headers, err = v.texts(name)
	return headers, true, err
}
