// Package plugins is what the author of a plugin imports. A plugin is a program
// named fkzoo-plugin-NAME that offers architectures; its whole main function is
// a call of [Serve]:
//
//	func main() {
//		plugins.Serve(plugins.Architecture{
//			Name:      "tiny",
//			Summary:   "one hidden layer",
//			Blueprint: tiny,
//		})
//	}
//
// The package knows the plugin's side of the protocol and nothing of the host,
// the engine or images: a plugin describes networks, fkzoo checks and runs them.
package plugins
