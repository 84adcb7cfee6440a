// Package training has the commands about trainings: train, results and plot. It must not know how a network learns, nor
// any other command.
package training
