/**
 * Bit fields of what the asker may do, a bit per ACL operation (M-5). Without an authorizer everything is allowed, which
 * is what Kafka then answers; −2147483648 means that it was not asked for.
 */
export const allTopicOperations = 3576
export const allClusterOperations = 8096
export const allGroupOperations = 3400
