// Package terminal is how the program writes for people and for programs: text that can't steer a terminal, tables, JSON,
// numbers and bars. It must not know any command, nor anything of the zoo.
package terminal
