// SPDX-License-Identifier: GPL-2.0-or-later

// kubernetes reads a manifest as an API server does when it is applied: each document is decoded strictly by
// the types of the API, gets its defaults, and is validated by the API server's own rules. It prints kinds,
// then what is wrong.
package main

import (
	"bytes"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsinstall "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinstall "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
)

func validate(object runtime.Object) field.ErrorList {
	switch o := object.(type) {
	case *core.Namespace:
		return corevalidation.ValidateNamespace(o)
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(o)
	case *apps.DaemonSet:
		return appsvalidation.ValidateDaemonSet(o, corevalidation.PodValidationOptions{})
	}
	return field.ErrorList{field.InternalError(nil, fmt.Errorf("%T: nobody validates it", object))}
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	scheme := runtime.NewScheme()
	coreinstall.Install(scheme)
	appsinstall.Install(scheme)
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
	bad := false
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		object, kind, err := decoder.Decode(document, nil, nil) // with defaults, as the internal version
		if err != nil {
			fmt.Println(err)
			bad = true
			continue
		}
		fmt.Println(kind.GroupVersion(), kind.Kind)
		for _, e := range validate(object) {
			fmt.Println(e)
			bad = true
		}
	}
	if bad {
		os.Exit(1)
	}
}
