// Package command is what the commands of fkzoo share: the program's streams and its way in to data, backends and
// plugins, flags that several commands have, what a wrong use is, and what to do about an error. It must not know any one
// command.
package command
