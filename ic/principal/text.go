package principal

// MarshalText makes principals appear in their textual form in JSON and the like.
func (p Principal) MarshalText() ([]byte, error) { return []byte(p.Text()), nil }

// UnmarshalText is Parse.
func (p *Principal) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
