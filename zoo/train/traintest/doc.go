// Package traintest trains small models for tests, and watches and interrupts
// trainings. It must not know what the tests look for.
package traintest
