// Reads the seals of one file through the service: ./client FILE [URL].
// Needs libcurl and nlohmann-json: g++ -std=c++17 client.cpp -lcurl -o client

#include <curl/curl.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

using nlohmann::json;

std::string file_content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file.good() && !file.eof()) throw std::runtime_error(path + " cannot be read");
    return content;
}

std::string base64(const std::string& bytes) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? letters[three >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::size_t keep(char* data, std::size_t size, std::size_t count, void* text) {
    static_cast<std::string*>(text)->append(data, size * count);
    return size * count;
}

json read(const std::string& path, const std::string& url) {
    const bool pdf = path.size() > 4 && (path.substr(path.size() - 4) == ".pdf" || path.substr(path.size() - 4) == ".PDF");
    const json body = {{"file", base64(file_content(path))}, {"fileType", pdf ? 0 : 1}, {"visualize", false}};
    const std::string sent = body.dump();
    std::string answer;
    long status = 0;

    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl) throw std::runtime_error("libcurl does not start");
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
        curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
    curl_easy_setopt(curl.get(), CURLOPT_URL, (url + "/seal-recognition").c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, sent.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent.size()));
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 120L);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
    const CURLcode outcome = curl_easy_perform(curl.get());
    if (outcome != CURLE_OK) throw std::runtime_error(url + ": " + curl_easy_strerror(outcome));
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) throw std::runtime_error("HTTP " + std::to_string(status) + ": " + answer);
    return json::parse(answer).at("result");
}

int main(int count, char** words) {
    if (count != 2 && count != 3) {
        std::fprintf(stderr, "usage: client FILE [URL]\n");
        return 1;
    }
    try {
        int page = 0;
        const json result = read(words[1], count == 3 ? words[2] : "http://localhost:8080");
        for (const json& item : result.at("sealRecResults")) {
            ++page;
            for (const json& seal : item.at("prunedResult").at("seals"))
                for (const json& line : seal.at("lines"))
                    std::printf("page %d, seal %d, %.2f: %s\n", page, seal.at("region_id").get<int>(), line.at("score").get<double>(),
                                line.at("text").get<std::string>().c_str());
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
