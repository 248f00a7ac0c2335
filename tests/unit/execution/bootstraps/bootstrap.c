#define _GNU_SOURCE
/* A runtime in C on bare sockets: takes events, answers {"language": "C", "event": …}. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char host[64];
static int port;

static int dial(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) exit(2);
    return connection;
}

/* Reads until the server closes the connection, which `Connection: close` makes it do. */
static char *exchange(const char *head, const char *body) {
    static char reply[1 << 20];
    int connection = dial();
    size_t have = 0;
    ssize_t got;
    if (write(connection, head, strlen(head)) < 0 || write(connection, body, strlen(body)) < 0) exit(3);
    while ((got = read(connection, reply + have, sizeof reply - 1 - have)) > 0) have += (size_t)got;
    reply[have] = 0;
    close(connection);
    return reply;
}

int main(void) {
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    char head[512], id[128], *body = malloc(1 << 20);
    sscanf(api, "%63[^:]:%d", host, &port);
    for (;;) {
        snprintf(head, sizeof head,
                 "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", api);
        char *reply = exchange(head, "");
        char *field = strcasestr(reply, "lambda-runtime-aws-request-id: ");
        char *event = strstr(reply, "\r\n\r\n");
        if (!field || !event) return 4;
        sscanf(field + 31, "%127[^\r]", id);
        snprintf(body, 1 << 20, "{\"language\": \"C\", \"event\": %s}", event + 4);
        snprintf(head, sizeof head,
                 "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\n"
                 "Connection: close\r\nContent-Length: %zu\r\n\r\n", id, api, strlen(body));
        if (!strstr(exchange(head, body), " 202 ")) return 5;
    }
}
