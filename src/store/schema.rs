//! The tables as diesel sees them. Compared with both databases by the test `store::schema`.

diesel::table! {
    executions (created_position) {
        created_position -> BigInt,
        tenant_id -> Text,
        id -> Text,
        execution_type -> Text,
        status -> Text,
        workflow_id -> Nullable<Text>,
        namespace -> Text,
        name -> Text,
        agent_id -> Nullable<Text>,
        project_id -> Nullable<Text>,
        parent_execution_id -> Nullable<Text>,
        created_by -> Nullable<Text>,
        priority -> BigInt,
        creation -> Text,
        input -> Text,
        output -> Nullable<Text>,
        error -> Nullable<Text>,
        completed_tasks -> BigInt,
        known_tasks -> BigInt,
        attempt -> BigInt,
        restarts -> BigInt,
        last_crash -> Nullable<Text>,
        recovered_in_ms -> Nullable<BigInt>,
        last_seq -> BigInt,
        last_position -> BigInt,
        wake_at -> Nullable<BigInt>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        updated_at -> BigInt,
        pause_reason -> Nullable<Text>,
        pause_limit -> Nullable<Text>,
    }
}

diesel::table! {
    continued_executions (tenant_id, execution_id) {
        tenant_id -> Text,
        execution_id -> Text,
        continued_by -> Text,
    }
}

diesel::table! {
    detached_effects (execution_id, seq) {
        execution_id -> Text,
        path -> Text,
        tenant_id -> Text,
        seq -> BigInt,
    }
}

diesel::table! {
    execution_counts (tenant_id, hour, execution_type, status) {
        tenant_id -> Text,
        hour -> BigInt,
        execution_type -> Text,
        status -> Text,
        number -> BigInt,
    }
}

diesel::table! {
    execution_labels (tenant_id, label, value, created_at, created_position) {
        tenant_id -> Text,
        label -> Text,
        value -> Text,
        created_at -> BigInt,
        created_position -> BigInt,
        execution_id -> Text,
    }
}

diesel::table! {
    journal (position) {
        position -> BigInt,
        tenant_id -> Text,
        execution_id -> Text,
        first_seq -> BigInt,
        last_seq -> BigInt,
        events -> Text,
    }
}

diesel::table! {
    snapshots (execution_id) {
        execution_id -> Text,
        tenant_id -> Text,
        seq -> BigInt,
        format -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    blobs (digest) {
        digest -> Text,
        content -> Text,
        size_bytes -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    definitions (tenant_id, digest) {
        tenant_id -> Text,
        digest -> Text,
        json -> Text,
        source -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    workflows (id) {
        id -> Text,
        tenant_id -> Text,
        namespace -> Text,
        name -> Text,
        version -> Text,
        digest -> Text,
        title -> Nullable<Text>,
        summary -> Nullable<Text>,
        tags -> Text,
        is_archived -> Bool,
        is_latest -> Bool,
        created_by -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    agents (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        slug -> Text,
        description -> Text,
        adapter -> Text,
        model -> Nullable<Text>,
        system_prompt -> Nullable<Text>,
        parameters -> Text,
        capabilities -> Text,
        is_active -> Bool,
        is_system -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
        created_by -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency_keys (tenant_id, idempotency_key) {
        tenant_id -> Text,
        idempotency_key -> Text,
        request_digest -> Text,
        execution_id -> Nullable<Text>,
        response_status -> Nullable<BigInt>,
        response_body -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        made_id -> Nullable<Text>,
        key_id -> Nullable<Text>,
        nonce -> Nullable<Text>,
        ciphertext -> Nullable<Text>,
    }
}

diesel::table! {
    secrets (tenant_id, name) {
        tenant_id -> Text,
        name -> Text,
        key_id -> Text,
        nonce -> Text,
        ciphertext -> Text,
        created_by -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    logs (execution_id, n) {
        execution_id -> Text,
        n -> BigInt,
        tenant_id -> Text,
        task -> Nullable<Text>,
        agent_id -> Nullable<Text>,
        level -> BigInt,
        message -> Text,
        metadata -> Nullable<Text>,
        source -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    usage_records (execution_id, seq) {
        execution_id -> Text,
        seq -> BigInt,
        tenant_id -> Text,
        task -> Nullable<Text>,
        attempt -> BigInt,
        agent_id -> Nullable<Text>,
        provider -> Text,
        model -> Text,
        input_tokens -> BigInt,
        cached_input_tokens -> BigInt,
        output_tokens -> BigInt,
        reasoning_tokens -> BigInt,
        cost_usd -> Nullable<Double>,
        latency_ms -> BigInt,
        at -> BigInt,
        root_execution_id -> Text,
        path -> Nullable<Text>,
        prices -> Nullable<Text>,
        outcome -> Text,
        is_estimated -> Bool,
    }
}

diesel::table! {
    execution_budgets (execution_id) {
        execution_id -> Text,
        tenant_id -> Text,
        budget -> Text,
    }
}

diesel::table! {
    retention_policies (tenant_id) {
        tenant_id -> Text,
        succeeded_days -> Nullable<BigInt>,
        succeeded_count -> Nullable<BigInt>,
        failed_days -> Nullable<BigInt>,
        failed_count -> Nullable<BigInt>,
        cancelled_days -> Nullable<BigInt>,
        cancelled_count -> Nullable<BigInt>,
        usage_days -> Nullable<BigInt>,
        updated_by -> Nullable<Text>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    removed_executions (execution_id) {
        execution_id -> Text,
        tenant_id -> Text,
    }
}

diesel::table! {
    tenant_removals (tenant_id) {
        tenant_id -> Text,
        requested_by -> Nullable<Text>,
        requested_at -> BigInt,
    }
}

diesel::table! {
    watermarks (name) {
        name -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    tenants (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        is_active -> Bool,
        max_running_executions -> Nullable<BigInt>,
        max_queued_executions -> Nullable<BigInt>,
        max_projects -> Nullable<BigInt>,
        max_tokens_per_month -> Nullable<BigInt>,
        max_cost_per_month -> Nullable<Double>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        tenant_id -> Text,
        email -> Text,
        display_name -> Text,
        password_hash -> Nullable<Text>,
        role -> Text,
        is_active -> Bool,
        locale -> Nullable<Text>,
        last_sign_in_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        tenant_id -> Text,
        user_id -> Nullable<Text>,
        name -> Text,
        prefix -> Text,
        secret_hash -> Text,
        role -> Text,
        scopes -> Text,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        created_by -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        tenant_id -> Text,
        user_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    refresh_tokens (token_hash) {
        token_hash -> Text,
        session_id -> Text,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    one_time_tokens (token_hash) {
        token_hash -> Text,
        tenant_id -> Text,
        user_id -> Text,
        purpose -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Text,
        tenant_id -> Text,
        actor_kind -> Nullable<Text>,
        actor_id -> Nullable<Text>,
        actor_name -> Text,
        action -> Text,
        target_kind -> Text,
        target_id -> Text,
        request_id -> Nullable<Text>,
        before_digest -> Nullable<Text>,
        after_digest -> Nullable<Text>,
        at -> BigInt,
        address -> Nullable<Text>,
        provider -> Nullable<Text>,
    }
}

diesel::table! {
    external_identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        tenant_id -> Text,
        user_id -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    saved_views (id) {
        id -> Text,
        tenant_id -> Text,
        created_by -> Text,
        user_id -> Nullable<Text>,
        list -> Text,
        name -> Text,
        query -> Text,
        is_shared -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(continued_executions, execution_labels, executions, journal);
