// Package models has the commands about architectures and model files: info, merge, convert, export, verify, salvage, diff
// and sign. It must not know how these are stored, nor any other command.
package models
