package model

import "github.com/fkzoo/fkzoo/format"

// Meta gives the header that is saved.
func (m *Model) Meta() (format.Meta, error) { return m.meta() }

// SetMeta takes a header as it was read.
func (m *Model) SetMeta(meta *format.Meta) error { return m.setMeta(meta) }

// ForgetUnknown drops what a file had that this version doesn't know, beside Extra.
func (m *Model) ForgetUnknown() { m.kept = kept{} }

// UnknownData stands for the checksum of data that isn't known.
const UnknownData = unknownData
