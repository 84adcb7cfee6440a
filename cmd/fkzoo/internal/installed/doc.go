// Package installed has the commands about what is installed beside the program: plugins, the architectures that they offer,
// and backends, by list, plugin and backend. It must not know how these are found or started, nor any other command.
package installed
