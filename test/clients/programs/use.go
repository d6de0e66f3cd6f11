// Classifies a photo by its bytes and by a form, with the generated client. Prints two labels.
package main

import (
	"context"
	"fmt"
	"os"

	edge "example.test/resnet-edge/client"
)

func main() {
	url, path := os.Args[1], os.Args[2]
	configuration := edge.NewConfiguration()
	configuration.Servers = edge.ServerConfigurations{{URL: url}}
	api := edge.NewAPIClient(configuration).ClassifyAPI
	context := context.Background()

	answer, _, err := api.Classify(context).Body(open(path)).TopK(2).Execute()
	must(err)
	fmt.Println(answer.Predictions[0].Label)
	form, _, err := api.ClassifyForm(context).Image([]*os.File{open(path)}).TopK(2).Execute()
	must(err)
	fmt.Println(form.Results[0].Predictions[0].Label)
}

func open(path string) *os.File {
	file, err := os.Open(path)
	must(err)
	return file
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
