// Reads the seals of one file through the service: go run client.go FILE [URL]. Needs nothing beyond Go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type answer struct {
	Result struct {
		SealRecResults []struct {
			PrunedResult struct {
				Seals []struct {
					RegionID int `json:"region_id"`
					Lines    []struct {
						Text  string  `json:"text"`
						Score float64 `json:"score"`
					} `json:"lines"`
				} `json:"seals"`
			} `json:"prunedResult"`
		} `json:"sealRecResults"`
	} `json:"result"`
}

func read(path, url string) (*answer, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fileType := 1
	if strings.HasSuffix(strings.ToLower(path), ".pdf") {
		fileType = 0
	}
	// Bytes become Base64 in JSON. No pictures are wanted.
	body, err := json.Marshal(map[string]any{"file": content, "fileType": fileType, "visualize": false})
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: 120 * time.Second}
	response, err := client.Post(url+"/seal-recognition", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d: %s", response.StatusCode, text)
	}
	var said answer
	return &said, json.Unmarshal(text, &said)
}

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run client.go FILE [URL]")
		os.Exit(1)
	}
	url := "http://localhost:8080"
	if len(os.Args) == 3 {
		url = os.Args[2]
	}
	said, err := read(os.Args[1], url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for page, result := range said.Result.SealRecResults {
		for _, seal := range result.PrunedResult.Seals {
			for _, line := range seal.Lines {
				fmt.Printf("page %d, seal %d, %.2f: %s\n", page+1, seal.RegionID, line.Score, line.Text)
			}
		}
	}
}
