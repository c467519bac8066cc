//go:build tools

// Package tools keeps the Node.js language host among the requirements of go.mod, which pins it for scripts/setup.mjs.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
