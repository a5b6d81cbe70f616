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
// response_header_exclusions in place of certified_response_headers.

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

// value is a node of the language: an object with a type name and fields, or a list of strings.
type value struct {
	name   string
	fields map[string]value
	list   []string
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *parser) accept(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
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

func (p *parser) word() string {
	p.space()
	end := strings.IndexFunc(p.rest, func(c rune) bool {
		return c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	})
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func (p *parser) value(depth int) (v value, err error) {
	if depth == 0 {
		return v, errors.New("nested too deep")
	}
	if p.accept("[") {
		v.list, err = p.strings()
		return v, err
	}
	if v.name = p.word(); v.name == "" {
		return v, fmt.Errorf("expected a name before %.20q", p.rest)
	}
	if err := p.expect("{"); err != nil {
		return v, err
	}
	v.fields = map[string]value{}
	for !p.accept("}") {
		key := p.word()
		if _, twice := v.fields[key]; twice || key == "" {
			return v, fmt.Errorf("field %q is empty or occurs twice", key)
		}
		if err := p.expect(":"); err != nil {
			return v, err
		}
		if v.fields[key], err = p.value(depth - 1); err != nil {
			return v, err
		}
		if !p.accept(",") {
			return v, p.expect("}")
		}
	}
	return v, nil
}

func (p *parser) strings() (out []string, err error) {
	for !p.accept("]") {
		if err := p.expect(`"`); err != nil {
			return nil, err
		}
		text, rest, ok := strings.Cut(p.rest, `"`)
		if !ok || strings.Contains(text, `\`) {
			return nil, errors.New("a string without an end, or with an escape")
		}
		out, p.rest = append(out, text), rest
		if !p.accept(",") {
			return out, p.expect("]")
		}
	}
	return out, nil
}

func (p *parser) expression() (e expression, err error) {
	if err := p.expect("default_certification"); err != nil {
		return e, err
	}
	if err := p.expect("("); err != nil {
		return e, err
	}
	args, err := p.value(8)
	if err != nil {
		return e, err
	}
	if err := p.expect(")"); err != nil {
		return e, err
	}
	if p.space(); p.rest != "" {
		return e, fmt.Errorf("%.20q after the end", p.rest)
	}
	certification, some := args.fields["certification"]
	_, none := args.fields["no_certification"]
	switch {
	case args.name == "ValidationArgs" && none && !some:
		return expression{nothing: true}, nil
	case args.name == "ValidationArgs" && some && !none && certification.name == "Certification":
		return certification.read()
	}
	return e, errors.New("expected ValidationArgs{certification: Certification{…}} or ValidationArgs{no_certification: Empty{}}")
}

func (v value) read() (e expression, err error) {
	if r, ok := v.fields["request_certification"]; ok {
		e.request = true
		e.requestHeaders, e.queryParams = r.fields["certified_request_headers"].list, r.fields["certified_query_parameters"].list
	} else if _, ok := v.fields["no_request_certification"]; !ok {
		return e, errors.New("neither request_certification nor no_request_certification")
	}
	r, ok := v.fields["response_certification"]
	if !ok {
		return e, errors.New("no response_certification")
	}
	if only, ok := r.fields["certified_response_headers"]; ok {
		e.responseHeaders = only.fields["headers"].list
		return e, nil
	}
	except, ok := r.fields["response_header_exclusions"]
	if !ok {
		return e, errors.New("neither certified_response_headers nor response_header_exclusions")
	}
	e.responseHeaders, e.exclude = except.fields["headers"].list, true
	return e, nil
}
