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

// MarshalBinary and UnmarshalBinary make principals their bytes in binary encodings.
func (p Principal) MarshalBinary() ([]byte, error) { return p.Bytes(), nil }

// UnmarshalBinary is the inverse of MarshalBinary.
func (p *Principal) UnmarshalBinary(data []byte) error {
	parsed, err := FromBytes(data)
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
